// sightline completion: completions for bash, zsh and fish, made from the commands' own declarations.
#include <iostream>

#include "apps/sightline/commands.h"
#include "base/text.h"

namespace sightline::app {
namespace {

std::string OptionWords(const CLI::App& command) {
  std::string words;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words += " --" + name;
    for (const std::string& name : option->get_snames()) words += " -" + name;
  }
  for (const CLI::App* group :
       command.get_subcommands([](const CLI::App* app) { return app->get_name().empty(); })) {
    words += OptionWords(*group);
  }
  return words;
}

std::vector<const CLI::App*> Named(const CLI::App& command) {
  std::vector<const CLI::App*> named;
  for (const CLI::App* sub :
       command.get_subcommands([](const CLI::App* app) { return !app->get_name().empty(); })) {
    named.push_back(sub);
  }
  return named;
}

// One case of the shell function: what may follow `path` ("", "run", "model add").
void AppendCases(const CLI::App& command, const std::string& path, std::string* cases) {
  std::string words = OptionWords(command);
  for (const CLI::App* sub : Named(command)) words += " " + sub->get_name();
  *cases += fmt::format("    '{}') words='{}' ;;\n", path, Trim(words));
  for (const CLI::App* sub : Named(command)) {
    AppendCases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), cases);
  }
}

std::string BashScript(const CLI::App& app) {
  std::string cases;
  AppendCases(app, "", &cases);
  return R"(# sightline completion bash
_sightline() {
  local current=${COMP_WORDS[COMP_CWORD]} path='' words='' word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      run|completion|model|pipeline|simulate|serve|camera|eval) [ -z "$path" ] && path=$word ;;
      -*) ;;
      *) case $path in model|pipeline|simulate|camera) path="$path $word" ;; esac ;;
    esac
  done
  case $path in
)" + cases +
         R"(  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _sightline sightline
)";
}

void AppendFish(const CLI::App& command, const std::string& condition, std::string* script) {
  for (const CLI::App* sub : Named(command)) {
    *script += fmt::format("complete -c sightline -n '{}' -a {} -d \"{}\"\n", condition, sub->get_name(),
                           sub->get_description());
    const std::string inside = fmt::format("__fish_seen_subcommand_from {}", sub->get_name());
    for (const CLI::Option* option : sub->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        *script += fmt::format("complete -c sightline -n '{}' -l {}\n", inside, name);
      }
    }
    AppendFish(*sub, inside, script);
  }
}

int Print(const CLI::App& app, const std::string& shell) {
  if (shell == "bash") {
    std::cout << BashScript(app);
  } else if (shell == "zsh") {
    std::cout << "autoload -U +X bashcompinit && bashcompinit\n" << BashScript(app);
  } else {
    std::string script;
    AppendFish(app, "__fish_use_subcommand", &script);
    std::cout << script;
  }
  return kExitOk;
}

}  // namespace

void AddCompletionCommand(CLI::App& app, int* exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("completion", "Print completions for a shell");
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
  command->footer(
      "bash: source <(sightline completion bash)      zsh: the same\n"
      "fish: sightline completion fish | source");
  command->callback([&app, shell, exit_code] { *exit_code = Print(app, *shell); });
}

}  // namespace sightline::app
