<?php

namespace App\Jobs\Bank;

use App\Journal;

/** One feed as releases up to 5.10.42 ask it: any failed call for its details turns it off. */
class ProcessBankTransactionsNordigen
{
    use AsksProvider;

    public function handle(): void
    {
        $this->logIn();
        $status = $this->account()['status'];
        $this->save(['bank_account_status' => $status]);
        if ($status !== 'READY' || !$this->getAccount()) {
            $this->save(['disabled_upstream' => 1]);

            return;
        }
        $this->account('transactions/');
        $this->save(['from_date' => now()->subDays(5)->format('Y-m-d')]);
    }

    private function getAccount(): bool
    {
        try {
            $this->account('details/');
        } catch (\Throwable $problem) {
            Journal::write('problem', "Nordigen getAccount() failed => {$problem->getMessage()}");

            return false;
        }

        return true;
    }
}
