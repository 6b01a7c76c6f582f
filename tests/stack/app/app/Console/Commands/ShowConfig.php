<?php

namespace App\Console\Commands;

use Illuminate\Console\Command;

class ShowConfig extends Command
{
    protected $signature = 'config:value {key}';

    protected $description = 'Print one configuration value as JSON';

    public function handle(): int
    {
        $this->line(json_encode(config($this->argument('key'))));

        return 0;
    }
}
