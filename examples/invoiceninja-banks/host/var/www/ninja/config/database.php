<?php

return [
    'default' => env('DB_CONNECTION', 'mysql'), 'connections' => [
        'sqlite' => ['driver' => 'sqlite', 'database' => database_path('database.sqlite'), 'prefix' => ''],
        'mysql' => ['driver' => 'mysql', 'host' => env('DB_HOST', 'localhost'), 'port' => env('DB_PORT', '3306'),
            'database' => env('DB_DATABASE', 'ninja'), 'username' => env('DB_USERNAME', 'ninja'),
            'password' => env('DB_PASSWORD', ''), 'unix_socket' => env('DB_SOCKET', ''), 'prefix' => '',
            'strict' => env('DB_STRICT', false)],
        'pgsql' => ['driver' => 'pgsql', 'host' => env('DB_HOST', 'localhost'), 'database' => 'ninja']],
];
