// adit home: what a home.toml leads to on this machine, shown, carried out, looked at and taken back.

#include "home/home.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.h"
#include "home/apply.h"
#include "home/diff.h"

namespace adit::daemon {
namespace {

using Json = nlohmann::ordered_json;
using home::Change;
using home::State;

/// Commands are this machine's business only when the tree is.
bool is_this_machine(const HomeRequest& request) { return request.root == "/"; }

Json to_json(const std::vector<Command>& commands) {
  Json all = Json::array();
  for (const Command& command : commands) all.push_back({{"words", command.words}, {"why", command.why}});
  return all;
}

/// Text of others may be in any encoding, which JSON cannot say; `dump` puts a replacement character.
Json to_json(const Change& change) {
  Json blocks = Json::array();
  for (const home::BlockState& block : change.blocks) {
    blocks.push_back({{"name", block.name}, {"state", name_of(block.state)}});
  }
  Json json{{"path", change.path}, {"state", name_of(change.state)}, {"blocks", std::move(blocks)}};
  if (change.after) {
    json["mode"] = home::to_octal(change.mode);
    json["bytes"] = change.after->size();
  }
  json["secret"] = change.secret;
  if (!change.secret && change.state != State::same) json["diff"] = home::to_diff(change);
  return json;
}

Json to_json(const std::vector<Change>& changes) {
  Json all = Json::array();
  for (const Change& change : changes) all.push_back(to_json(change));
  return all;
}

void print(const Json& json) { std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n"; }

bool has_foreign(const std::vector<Change>& changes) {
  return std::ranges::any_of(changes, [](const Change& change) { return change.state == State::foreign; });
}

std::vector<Command> only_if(bool wanted, const std::vector<Command>& commands) {
  return wanted ? commands : std::vector<Command>();
}

int show_plan(const HomeRequest& request) {
  const Plan plan = home::plan(home::load_home(request.config));
  const home::Transition transition = home::look(home::Tree(request.root), plan);
  const auto checks = only_if(transition.starts, plan.checks);
  const auto start = only_if(transition.starts, plan.start);
  if (request.json) {
    print({{"root", request.root.string()},
           {"changes", to_json(transition.changes)},
           {"checks", to_json(checks)},
           {"stop", to_json(transition.stop)},
           {"start", to_json(start)}});
  } else {
    for (const Change& change : transition.changes) std::cout << home::to_diff(change);
    std::cout << home::to_list("Run before anything changes, as checks:", checks)
              << home::to_list("Run before files go:", transition.stop)
              << home::to_list("Run when the files are in place:", start);
    if (!transition.changes_files() && !transition.starts) std::cout << "Nothing to do: all is as it should be.\n";
  }
  return has_foreign(transition.changes) ? kExitFailed : kExitDone;
}

/// Of what was done. Each change was printed when it was made.
void print_outcome(const HomeRequest& request, const home::Outcome& outcome, const char* nothing) {
  if (request.json) {
    return print({{"root", request.root.string()},
                  {"changes", to_json(outcome.changes)},
                  {"ran", to_json(outcome.ran)},
                  {"not_run", to_json(outcome.left)}});
  }
  if (outcome.changes.empty() && outcome.ran.empty()) std::cout << nothing << "\n";
  std::cout << home::to_list("Not run, as " + request.root.string() + " is not this machine's root:", outcome.left);
}

home::Say speaker(const HomeRequest& request) {
  return [json = request.json](const std::string& line) {
    // Each at once: of what takes minutes, a person wants to see how far it is.
    if (!json) std::cout << line << std::endl;
  };
}

int carry_out(const HomeRequest& request) {
  const Plan plan = home::plan(home::load_home(request.config));
  home::Tree tree(request.root);
  home::ProgramRunner runner;
  print_outcome(request, home::apply(tree, plan, is_this_machine(request) ? &runner : nullptr, speaker(request)),
                "Nothing to do: all is as it should be.");
  return kExitDone;
}

int take_back(const HomeRequest& request) {
  home::Tree tree(request.root);
  home::ProgramRunner runner;
  print_outcome(request, home::remove(tree, is_this_machine(request) ? &runner : nullptr, speaker(request)),
                "Nothing to do: nothing of adit's is here.");
  return kExitDone;
}

/// How a state is called when it is looked at afterwards.
const char* status_word(State state) {
  switch (state) {
    case State::same:
      return "ok";
    case State::added:
      return "missing";
    case State::changed:
      return "drifted";
    case State::removed:
      return "leftover";
    case State::foreign:
      return "foreign";
  }
  return "";
}

void print_status(const Change& change) {
  for (const home::BlockState& block : change.blocks) {
    std::printf("%-9s%s, block %s\n", status_word(block.state), change.path.c_str(), block.name.c_str());
  }
  if (change.is_ours_alone() && (change.before || change.after)) {
    std::printf("%-9s%s\n", status_word(change.state), change.path.c_str());
  }
}

int status(const HomeRequest& request) {
  const Plan plan = home::plan(home::load_home(request.config));
  const home::Transition transition = home::look(home::Tree(request.root), plan);
  // In a tree that is not this machine's, commands never run.
  const bool is_started = !transition.starts || !is_this_machine(request);
  const bool is_right = !transition.changes_files() && is_started;
  if (request.json) {
    print({{"root", request.root.string()},
           {"ok", is_right},
           {"started", !transition.starts},
           {"files", to_json(transition.changes)}});
    return is_right ? kExitDone : kExitFailed;
  }
  for (const Change& change : transition.changes) print_status(change);
  std::fflush(stdout);
  for (const Change& change : transition.changes) {
    if (change.state == State::changed || change.state == State::removed) std::cout << "\n" << home::to_diff(change);
  }
  if (!transition.changes_files() && !is_started)
    std::cout << "\nNot all commands have run: `adit home apply` goes on.\n";
  return is_right ? kExitDone : kExitFailed;
}

}  // namespace

int home_command(const HomeRequest& request) {
  switch (request.what) {
    case HomeRequest::What::kPlan:
      return show_plan(request);
    case HomeRequest::What::kApply:
      return carry_out(request);
    case HomeRequest::What::kStatus:
      return status(request);
    case HomeRequest::What::kRemove:
      return take_back(request);
  }
  return kExitFailed;
}

}  // namespace adit::daemon
