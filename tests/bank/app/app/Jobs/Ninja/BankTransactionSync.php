<?php

namespace App\Jobs\Ninja;

use App\Jobs\Bank\ProcessBankTransactionsNordigen;
use App\Journal;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Bus\Dispatchable;
use Illuminate\Queue\InteractsWithQueue;
use Illuminate\Support\Facades\DB;

/** One job that asks all feeds, one after another, in the order of their numbers. */
class BankTransactionSync implements ShouldQueue
{
    use Dispatchable, InteractsWithQueue, Queueable;

    public function handle(): void
    {
        if (config('ninja.environment') !== 'selfhost' || !config('ninja.nordigen.secret_id') || !config('ninja.nordigen.secret_key')) {
            return;
        }
        Journal::write('start', 'sync', $this->attempts());
        $feeds = DB::table('bank_integrations')
            ->where(['integration_type' => 'NORDIGEN', 'auto_sync' => 1, 'disabled_upstream' => 0, 'is_deleted' => 0])
            ->orderBy('id')->get();
        foreach ($feeds as $feed) {
            try {
                (new ProcessBankTransactionsNordigen($feed))->handle();
            } catch (\Throwable $problem) {
                Journal::write('problem', "feed {$feed->id}: {$problem->getMessage()}");
            }
        }
        Journal::write('end', 'sync', $this->attempts());
    }
}
