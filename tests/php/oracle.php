<?php
// Reads a JSON list of {source: base64, env: {name: text}} and prints what each file returns under Laravel's own env(),
// Env and Str, or {error: message}. Texts travel in base64, floats as text, arrays as lists of [key, value].
require '/usr/share/php/Illuminate/autoload.php';

new Illuminate\Foundation\Application('/srv/app');

function shown($value)
{
    if (is_string($value)) {
        return ['text' => base64_encode($value)];
    }
    if (is_float($value)) {
        return ['float' => is_finite($value) ? var_export($value, true) : (string) $value];
    }
    if (is_array($value)) {
        $entries = [];
        foreach ($value as $key => $inner) {
            $entries[] = [shown($key), shown($inner)];
        }
        return ['array' => $entries];
    }
    return is_object($value) ? ['object' => get_class($value)] : $value;
}

function run(string $source)
{
    return eval('?>' . $source);
}

error_reporting(0);
$answers = [];
$before = [];
// What PHP refuses while compiling ends the process: tell what is known so far, and that this one is refused.
register_shutdown_function(function () use (&$answers, &$done) {
    if (!$done) {
        $answers[] = ['error' => error_get_last()['message'] ?? 'fatal'];
    }
    echo json_encode($answers, JSON_THROW_ON_ERROR);
});
$done = false;
foreach (json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR) as $case) {
    foreach ($before as $name) {
        unset($_SERVER[$name]);
    }
    $before = array_keys($case['env']);
    foreach ($case['env'] as $name => $value) {
        $_SERVER[$name] = $value;
    }
    (new ReflectionClass(Illuminate\Support\Str::class))->setStaticPropertyValue('snakeCache', []);
    try {
        $answers[] = ['value' => shown(run(base64_decode($case['source'])))];
    } catch (Throwable $error) {
        $answers[] = ['error' => get_class($error) . ': ' . $error->getMessage()];
    }
}
$done = true;
