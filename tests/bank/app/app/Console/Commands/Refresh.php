<?php

namespace App\Console\Commands;

use App\Jobs\Ninja\BankTransactionSync;
use Illuminate\Console\Command;

class Refresh extends Command
{
    protected $signature = 'bank:refresh';

    protected $description = 'Put a bank sync on the queue, as the button does';

    public function handle(): int
    {
        BankTransactionSync::dispatch();

        return 0;
    }
}
