<?php

return [
    'use' => 'default',
    'waits' => ['redis:default' => 60],
    'fast_termination' => false,
    'memory_limit' => 64,
    'defaults' => [
        'supervisor-1' => [
            'connection' => 'redis',
            'queue' => ['default', 'mail'],
            'balance' => 'auto',
            'maxProcesses' => 1,
            'memory' => 128,
            'tries' => 1,
            'timeout' => 60,
        ],
        'exports' => [
            'connection' => 'redis',
            'queue' => ['exports'],
            'balance' => 'auto',
            'maxProcesses' => 2,
            'memory' => 256,
            'tries' => 1,
            'timeout' => 60 * 10,
        ],
    ],
    'environments' => [
        'production' => [
            'supervisor-1' => ['maxProcesses' => 6],
            'exports' => ['maxProcesses' => 2],
        ],
        'local' => [
            'supervisor-1' => ['maxProcesses' => 3],
        ],
    ],
];
