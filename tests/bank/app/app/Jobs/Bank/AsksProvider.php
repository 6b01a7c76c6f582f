<?php

namespace App\Jobs\Bank;

use Illuminate\Support\Facades\DB;

/** One feed's questions to the provider, and what it keeps of the answers. */
trait AsksProvider
{
    private string $token = '';

    public function __construct(private object $feed)
    {
    }

    private function logIn(): void
    {
        $keys = config('ninja.nordigen');
        $this->token = $this->ask('token/new/', ['secret_id' => $keys['secret_id'], 'secret_key' => $keys['secret_key']])['access'];
    }

    private function account(string $what = ''): array
    {
        return $this->ask("accounts/{$this->feed->nordigen_account_id}/{$what}");
    }

    private function save(array $values): void
    {
        DB::table('bank_integrations')->where('id', $this->feed->id)->update($values + ['updated_at' => now()]);
    }

    private function ask(string $path, ?array $body = null): array
    {
        $context = stream_context_create(['http' => [
            'method' => $body === null ? 'GET' : 'POST',
            'header' => ['Content-Type: application/json', "Authorization: Bearer {$this->token}"],
            'content' => $body === null ? '' : json_encode($body),
            'ignore_errors' => true,
            'timeout' => 10,
        ]]);
        $answer = json_decode(file_get_contents(config('ninja.nordigen.url').'/'.$path, false, $context), true);
        if (isset($answer['status_code'])) {
            throw new \RuntimeException("{$answer['status_code']} {$answer['summary']}");
        }

        return $answer;
    }
}
