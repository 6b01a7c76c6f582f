<?php

return [

    'default' => env('LOG_CHANNEL', 'single'),

    'channels' => [

        'single' => [
            'driver' => 'single',
            'path' => storage_path('logs/laravel.log'),
            'level' => env('LOG_LEVEL', 'debug'),
        ],

        'daily' => [
            'driver' => 'daily',
            'path' => storage_path('logs/laravel.log'),
        ],

        'json' => [
            'driver' => 'single',
            'path' => storage_path('logs/laravel.log'),
            'formatter' => Monolog\Formatter\JsonFormatter::class,
        ],

    ],

];
