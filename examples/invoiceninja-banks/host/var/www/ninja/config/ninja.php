<?php

return [
    'environment' => env('NINJA_ENVIRONMENT', 'selfhost'), 'is_docker' => env('IS_DOCKER', false),
        'internal_queue_enabled' => env('INTERNAL_QUEUE_ENABLED', true), 'expanded_logging' => env('EXPANDED_LOGGING', false),
        'nordigen' => ['secret_id' => env('NORDIGEN_SECRET_ID', false), 'secret_key' => env('NORDIGEN_SECRET_KEY', false)],
];
