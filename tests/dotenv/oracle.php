<?php
// Reads a JSON list of {text: base64, real: {name: value}} and prints, for each, what the real phpdotenv and Laravel's
// Env::get make of it: {error: message} or {values: {name: [text or null, value of env()]}}, texts in base64.
require '/usr/share/php/Illuminate/autoload.php';

use Dotenv\Exception\InvalidFileException;
use Dotenv\Loader\Loader;
use Dotenv\Parser\Parser;
use Dotenv\Repository\Adapter\ArrayAdapter;
use Dotenv\Repository\RepositoryBuilder;
use Dotenv\Util\Str;
use Illuminate\Support\Env;

function shown($value)
{
    return is_string($value) ? ['text' => base64_encode($value)] : $value;
}

$answers = [];
foreach (json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR) as $case) {
    $memory = ArrayAdapter::create()->get();
    foreach ($case['real'] as $name => $value) {
        $memory->write((string) $name, $value);
    }
    $repository = RepositoryBuilder::createWithNoAdapters()->addAdapter($memory)->immutable()->make();
    try {
        $entries = (new Parser())->parse(Str::utf8(base64_decode($case['text']))->success()->get());
        (new Loader())->load($repository, $entries);
    } catch (InvalidFileException $error) {
        $answers[] = ['error' => base64_encode($error->getMessage())];
        continue;
    }
    $values = [];
    foreach ($entries as $entry) {
        $text = $repository->get($entry->getName());
        $converted = null;
        if ($text !== null) {
            $_SERVER['QUEUE_AUDITOR_SCRATCH'] = $text;
            $converted = Env::get('QUEUE_AUDITOR_SCRATCH', 'absent');
        }
        $values[] = [base64_encode($entry->getName()), shown($text), shown($converted)];
    }
    $answers[] = ['values' => $values];
}
echo json_encode($answers, JSON_THROW_ON_ERROR);
