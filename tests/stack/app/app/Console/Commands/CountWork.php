<?php

namespace App\Console\Commands;

use Illuminate\Console\Command;
use Illuminate\Support\Facades\Queue;

class CountWork extends Command
{
    protected $signature = 'work:count {connection?} {--queue=}';

    protected $description = 'Print how many jobs a queue holds';

    public function handle(): int
    {
        $this->line((string) Queue::connection($this->argument('connection'))->size($this->option('queue')));

        return 0;
    }
}
