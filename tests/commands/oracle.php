<?php
// Reads a JSON list of {command, argv} from its standard input and prints, for each, what Symfony's console and
// Laravel's own command definitions make of the words behind "artisan": {error: message} for the first refusal, or
// {name, arguments, options}. Nothing is run.
require '/usr/share/php/Illuminate/autoload.php';

use Illuminate\Console\Command;
use Illuminate\Console\Scheduling\ScheduleRunCommand;
use Illuminate\Console\Scheduling\ScheduleWorkCommand;
use Illuminate\Queue\Console\ListenCommand;
use Illuminate\Queue\Console\WorkCommand;
use Symfony\Component\Console\Application;
use Symfony\Component\Console\Input\ArgvInput;
use Symfony\Component\Console\Input\InputOption;

// The real definitions, without the workers that they would be built with.
class Work extends WorkCommand
{
    public function __construct()
    {
        Command::__construct();
    }
}
class Listen extends ListenCommand
{
    public function __construct()
    {
        Command::__construct();
    }
}
class Run extends ScheduleRunCommand
{
    public function __construct()
    {
        Command::__construct();
    }
}

$answers = [];
foreach (json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR) as $argv) {
    $application = new Application();
    $application->setAutoExit(false);
    $application->getDefinition()->addOption(new InputOption('--env', null, InputOption::VALUE_OPTIONAL, ''));
    $application->addCommands([new Work(), new Listen(), new Run(), new ScheduleWorkCommand()]);
    $input = new ArgvInput(array_merge(['artisan'], $argv));
    try {
        $input->bind($application->getDefinition());
    } catch (Throwable $ignored) {
    }
    $name = $input->getFirstArgument();
    $help = $input->hasParameterOption(['--help', '-h'], true);
    $version = $input->hasParameterOption(['--version', '-V'], true);
    if (!$name) {
        $answers[] = ['name' => null, 'help' => $help, 'version' => $version];
        continue;
    }
    try {
        $command = $application->find($name);
    } catch (Throwable $error) {
        $answers[] = ['name' => $name, 'unknown' => $error->getMessage(), 'help' => $help, 'version' => $version];
        continue;
    }
    $answer = ['name' => $name, 'command' => $command->getName(), 'help' => $help, 'version' => $version];
    try {
        $command->mergeApplicationDefinition();
        $input->bind($command->getDefinition());
        if ($input->getArgument('command') === null) {
            $input->setArgument('command', $command->getName()); // as Command::run does
        }
        $input->validate();
        $own = $input->getArguments();
        unset($own['command']);
        $answer += ['arguments' => (object) $own, 'options' => (object) $input->getOptions()];
    } catch (Throwable $error) {
        $answer['error'] = $error->getMessage();
    }
    $answers[] = $answer;
}
echo json_encode($answers, JSON_INVALID_UTF8_SUBSTITUTE | JSON_THROW_ON_ERROR);
