// Carrying a plan out, taking it back, and looking whether it still is as it should be.
//
// Before the first change the manifest (home/manifest.h) on the disk names everything that is going to be made, and it
// is narrowed down to what was made after the last: an end at any moment, of the program or of the machine, leaves a
// state from which both apply and remove finish. Each file changes in one step.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "home/plan.h"
#include "home/runner.h"
#include "home/transition.h"
#include "home/tree.h"

namespace adit::home {

/// Something could not be done; the text says how far it came and how to go on or back.
class ApplyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What was done, in its order. Of a tree that is not this machine's root, `left` are commands that someone must run.
struct Outcome {
  std::vector<Change> changes;  ///< those that were made: none is same or foreign
  std::vector<Command> ran;
  std::vector<Command> left;
  bool found_nothing = false;  ///< remove: nothing was ever applied
};

/// Told each thing when it is done, in a few words: "wrote /etc/pf.conf".
using Say = std::function<void(const std::string&)>;

/// What apply would do, or what status compares with. Changes nothing, and needs no lock.
Transition look(const Tree& tree, const Plan& plan);

/// `runner`: nullptr to run no command. Throws ApplyError, and what find_transition and Tree throw.
Outcome apply(Tree& tree, const Plan& plan, Runner* runner, const Say& say);

/// Puts back what was before the first apply, by what the manifest says.
Outcome remove(Tree& tree, Runner* runner, const Say& say);

/// What is to be said of a change that was made: "wrote /etc/pf.conf (block adit)".
std::string to_sentence(const Change& change);

}  // namespace adit::home
