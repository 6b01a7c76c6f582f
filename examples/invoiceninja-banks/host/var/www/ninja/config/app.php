<?php

return [
    'env' => env('APP_ENV'), 'key' => env('APP_KEY'), 'timezone' => env('SERVER_TIMEZONE', 'UTC'),
];
