<?php

namespace App\Jobs\Bank;

use App\Journal;
use Illuminate\Support\Facades\DB;

/** One feed as releases of 2025 ask it: its status, then its transactions, whatever the status was. */
class ProcessBankTransactionsNordigen
{
    private string $token = '';

    public function __construct(private object $feed)
    {
    }

    public function handle(): void
    {
        $this->token = $this->ask('token/new/', config('ninja.nordigen'))['access'];
        $account = "accounts/{$this->feed->nordigen_account_id}/";
        $status = $this->ask($account)['status'];
        $this->save(['bank_account_status' => $status]);
        if ($status === 'EXPIRED') {
            $this->save(['disabled_upstream' => 1]);

            return;
        }
        if ($status !== 'READY') {
            Journal::write('problem', "Nordigen account '{$this->feed->nordigen_account_id}' is not ready (status={$status})");
        }
        $this->ask($account.'transactions/');
        $this->save(['from_date' => now()->subDays(5)->format('Y-m-d')]);
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
            'content' => $body === null ? '' : json_encode(['secret_id' => $body['secret_id'], 'secret_key' => $body['secret_key']]),
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
