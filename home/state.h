// The manifest on the disk, and the directories it is in, which come and go with it in one step.
#pragma once

#include <optional>
#include <string>

#include "home/manifest.h"
#include "home/tree.h"

namespace adit::home {

/// Nothing when nothing was ever applied, or all was removed. Throws std::runtime_error for a file that is not adit's.
std::optional<Manifest> load_manifest(const TreeView& tree);

/// Takes away what interrupted commands may have left beside the manifest and beside the files it knows.
void clean_up(Tree& tree, const std::optional<Manifest>& manifest);

/// Writes it unless it is so already; what `manifest` says of its own directories must be true.
///
/// The first one comes into being with its directories, under another name that one rename makes the right one: no
/// moment has a directory that nobody would take away again.
void store_manifest(Tree& tree, const Manifest& manifest);

/// Takes it away, with those directories above it that were made for it and have nothing else in them.
void discard_manifest(Tree& tree, const Manifest& manifest);

/// A directory that clean_up() takes away, for copies of files that are to be checked; made anew.
std::string make_staging_directory(Tree& tree);

}  // namespace adit::home
