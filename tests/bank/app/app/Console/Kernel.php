<?php

namespace App\Console;

use App\Jobs\Ninja\BankTransactionSync;
use Illuminate\Console\Scheduling\Schedule;
use Illuminate\Foundation\Console\Kernel as ConsoleKernel;
use Illuminate\Support\Facades\DB;

/** Of InvoiceNinja's schedule what the bank feeds live by. */
class Kernel extends ConsoleKernel
{
    protected function schedule(Schedule $schedule)
    {
        $schedule->job(new BankTransactionSync())->twiceDaily(1, 13)->withoutOverlapping()->name('bank-trans-sync-job')->onOneServer();

        if (config('ninja.environment') === 'selfhost') {
            $schedule->call(function () {
                DB::table('accounts')->update(['is_scheduler_running' => 1, 'updated_at' => now()]);
            })->everyFiveMinutes();
        }
    }

    protected function commands()
    {
        $this->load(__DIR__.'/Commands');
    }
}
