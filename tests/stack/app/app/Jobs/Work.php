<?php

namespace App\Jobs;

use App\Journal;
use Illuminate\Bus\Queueable;
use Illuminate\Contracts\Queue\ShouldQueue;
use Illuminate\Foundation\Bus\Dispatchable;
use Illuminate\Queue\InteractsWithQueue;

/** A job that takes as long, and keeps as much memory, as it is told. */
class Work implements ShouldQueue
{
    use Dispatchable, InteractsWithQueue, Queueable;

    /** @var int|null Attempts, or null for the worker's --tries. */
    public $tries;

    /** @var int|null Seconds, or null for the worker's --timeout. */
    public $timeout;

    /** @var list<string> What earlier jobs of this process kept: a leak. */
    private static array $kept = [];

    public function __construct(
        public string $label,
        public float $seconds = 0,
        public int $megabytes = 0,
        public string $padding = '',
        public bool $breaks = false,
    ) {
    }

    public function handle(): void
    {
        Journal::write('start', $this->label, $this->attempts());
        // sleep() returns early on a signal, so the job counts to a deadline.
        $deadline = microtime(true) + $this->seconds;
        if ($this->megabytes > 0) {
            self::$kept[] = str_repeat('x', $this->megabytes * 1024 * 1024);
        }
        if ($this->breaks) {
            throw new \RuntimeException("Job {$this->label} breaks, as it was told to.");
        }
        while (microtime(true) < $deadline) {
            usleep(20000);
        }
        Journal::write('end', $this->label, $this->attempts());
    }

    public function failed(\Throwable $error): void
    {
        Journal::write('failed', $this->label, $this->job ? $this->attempts() : 0);
    }
}
