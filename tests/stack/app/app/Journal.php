<?php

namespace App;

/** One JSON line for each thing that happened: what, to which job, when, in which process, at which attempt. */
class Journal
{
    public static function write(string $event, string $label, int $attempt = 0): void
    {
        $line = json_encode([
            'event' => $event,
            'label' => $label,
            'time' => microtime(true),
            'pid' => getmypid(),
            'attempt' => $attempt,
            'uid' => posix_geteuid(),
        ]);
        file_put_contents(storage_path('journal.jsonl'), $line."\n", FILE_APPEND | LOCK_EX);
    }
}
