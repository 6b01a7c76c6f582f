<?php

use Illuminate\Support\Facades\Facade;

return [
    'name' => env('APP_NAME', 'Laravel'),
    'env' => env('APP_ENV', 'production'),
    'debug' => (bool) env('APP_DEBUG', false),
    'url' => rtrim(env('APP_URL', 'http://localhost/'), '/'),
    'asset_url' => env('ASSET_URL'),
    'timezone' => 'UTC',
    'key' => env('APP_KEY'),
    'previous_keys' => [
        ...array_filter(
            explode(',', (string) env('APP_PREVIOUS_KEYS', ''))
        ),
    ],
    'maintenance' => ['driver' => env('APP_MAINTENANCE_DRIVER', 'file'), 'store' => env('APP_MAINTENANCE_STORE', 'database')],
    'level' => match (env('APP_ENV', 'production')) {
        'production', 'staging' => 'error',
        'local' => 'debug',
        default => 'info',
    },
    'aliases' => ['Redis' => Illuminate\Support\Facades\Redis::class],
    'providers' => [Illuminate\Queue\QueueServiceProvider::class, App\Providers\AppServiceProvider::class],
    'formatter' => function ($value) {
        return strtoupper($value);
    },
    'note' => <<<'TEXT'
        one
          two
        TEXT,
    'motd' => <<<TEXT
Welcome,\ttoday
TEXT,
];
