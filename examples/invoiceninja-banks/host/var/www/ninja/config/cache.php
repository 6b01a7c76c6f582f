<?php

return [
    'default' => env('CACHE_DRIVER', 'file'), 'stores' => ['file' => ['driver' => 'file'],
        'database' => ['driver' => 'database', 'table' => 'cache']],
];
