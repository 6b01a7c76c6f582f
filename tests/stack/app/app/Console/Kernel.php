<?php

namespace App\Console;

use App\Journal;
use Illuminate\Console\Scheduling\Schedule;
use Illuminate\Foundation\Console\Kernel as ConsoleKernel;

class Kernel extends ConsoleKernel
{
    protected function schedule(Schedule $schedule)
    {
        $schedule->call(fn () => Journal::write('tick', 'schedule'))->everyMinute();
        $schedule->command('queue:prune-failed')->daily();
    }

    protected function commands()
    {
        $this->load(__DIR__.'/Commands');
    }
}
