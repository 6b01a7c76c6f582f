<?php

return [
    'default' => env('QUEUE_CONNECTION', 'sync'), 'connections' => ['sync' => ['driver' => 'sync'],
        'database' => ['driver' => 'database', 'table' => 'jobs', 'queue' => 'default', 'retry_after' => 90000000]],
        'failed' => ['driver' => 'database-uuids', 'table' => 'failed_jobs'],
];
