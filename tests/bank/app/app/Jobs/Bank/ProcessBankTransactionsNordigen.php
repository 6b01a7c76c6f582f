<?php

namespace App\Jobs\Bank;

use App\Journal;

/** One feed as releases of 2025 ask it: its status, then its transactions, whatever the status was. */
class ProcessBankTransactionsNordigen
{
    use AsksProvider;

    public function handle(): void
    {
        $this->logIn();
        $status = $this->account()['status'];
        $this->save(['bank_account_status' => $status]);
        if ($status === 'EXPIRED') {
            $this->save(['disabled_upstream' => 1]);

            return;
        }
        if ($status !== 'READY') {
            Journal::write('problem', "Nordigen account '{$this->feed->nordigen_account_id}' is not ready (status={$status})");
        }
        $this->account('transactions/');
        $this->save(['from_date' => now()->subDays(5)->format('Y-m-d')]);
    }
}
