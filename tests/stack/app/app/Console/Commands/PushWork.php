<?php

namespace App\Console\Commands;

use App\Jobs\Work;
use Illuminate\Console\Command;

class PushWork extends Command
{
    protected $signature = 'work:push {label=J}
        {--seconds=0 : how long each job takes}
        {--connection= : the queue connection, or the default one}
        {--queue= : the queue, or the connection\'s own}
        {--tries= : attempts of the job itself}
        {--job-timeout= : seconds of the job itself}
        {--megabytes=0 : memory that each job keeps}
        {--kilobytes=0 : size of each payload}
        {--breaks : it throws an exception}
        {--count=1 : how many; more than one are labelled label1, label2, …}';

    protected $description = 'Push jobs that write in the journal';

    public function handle(): int
    {
        $count = (int) $this->option('count');
        for ($number = 1; $number <= $count; $number++) {
            $job = new Work(
                $this->argument('label').($count > 1 ? $number : ''),
                (float) $this->option('seconds'),
                (int) $this->option('megabytes'),
                str_repeat('x', 1024 * (int) $this->option('kilobytes')),
                (bool) $this->option('breaks'),
            );
            $job->tries = $this->whole('tries');
            $job->timeout = $this->whole('job-timeout');
            dispatch($job->onConnection($this->option('connection'))->onQueue($this->option('queue')));
        }

        return 0;
    }

    private function whole(string $option): ?int
    {
        $value = $this->option($option);

        return $value === null ? null : (int) $value;
    }
}
