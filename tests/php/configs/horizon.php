<?php

use Illuminate\Support\Str;

$common = [
    'connection' => 'redis',
    'queue' => explode(',', env('HORIZON_QUEUES', 'default')),
    'balance' => 'auto',
    'memory' => 128,
    'tries' => 1,
    'timeout' => (int) env('HORIZON_TIMEOUT', 60),
    'nice' => 0,
];

return [
    'domain' => env('HORIZON_DOMAIN'),
    'path' => env('HORIZON_PATH', 'horizon'),
    'use' => 'default',
    'prefix' => env('HORIZON_PREFIX', Str::slug(env('APP_NAME', 'laravel'), '_').'_horizon:'),
    'middleware' => ['web', \App\Http\Middleware\Authenticate::class],
    'waits' => ['redis:default' => 60, 'redis:'.env('HORIZON_LONG', 'long') => 60 * 5],
    'trim' => ['recent' => 60, 'failed' => 10080],
    'fast_termination' => false,
    'memory_limit' => 64,
    'defaults' => ['supervisor-1' => $common],
    'environments' => [
        'production' => [
            'supervisor-1' => ['maxProcesses' => env('APP_ENV') === 'production' ? 10 : 3, 'balanceCooldown' => 3],
            'supervisor-long' => array_merge($common, ['queue' => ['long'], 'timeout' => 3600]),
        ],
        'local' => ['supervisor-1' => ['maxProcesses' => max(1, 3)]],
        env('HORIZON_ENV', 'staging') => ['supervisor-1' => ['maxProcesses' => 2] + $common],
    ],
];
