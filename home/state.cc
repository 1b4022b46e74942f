#include "home/state.h"

#include <algorithm>
#include <stdexcept>

#include "home/transition.h"

namespace adit::home {
namespace {

constexpr unsigned kManifestMode = 0644;
constexpr const char* kUnfinished = "/.adit-home.new";

/// "", "/var" and so on to the directory of the manifest.
std::vector<std::string> places() {
  std::vector<std::string> all = directories_above(kManifestPath);
  all.insert(all.begin(), "");
  return all;
}

std::string innermost_place(const Tree& tree) {
  std::string innermost;
  for (const std::string& place : places()) {
    if (tree.has_directory(place)) innermost = place;
  }
  return innermost;
}

bool was_made(const Manifest& manifest, const std::string& directory) {
  return std::ranges::find(manifest.directories, directory) != manifest.directories.end();
}

/// The outermost directory that was made for the manifest and has nothing in it but the way to it; "" if there is none.
std::string outermost_own(const Tree& tree, const Manifest& manifest) {
  std::string outermost;
  std::string only = kManifestPath;
  const std::vector<std::string> all = directories_above(kManifestPath);
  for (auto place = all.rbegin(); place != all.rend(); ++place) {
    const std::vector<std::string> names = tree.list(*place);
    if (!was_made(manifest, *place) || names.size() != 1 || *place + "/" + names[0] != only) break;
    outermost = *place;
    only = *place;
  }
  return outermost;
}

}  // namespace

std::optional<Manifest> load_manifest(const TreeView& tree) {
  const auto file = tree.read(kManifestPath);
  if (!file) return std::nullopt;
  try {
    return parse_manifest(file->text);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error("read " + std::string(kManifestPath) + ": " + error.what() +
                             " (it says what adit has made here; restore it)");
  }
}

void clean_up(Tree& tree, const std::optional<Manifest>& manifest) {
  for (const std::string& place : places()) tree.remove_all(place + kUnfinished);
  tree.clean(kManifestPath);
  if (!manifest) return;
  for (const Manifest::File& file : manifest->files) tree.clean(file.path);
  for (const Manifest::Block& block : manifest->blocks) tree.clean(block.path);
}

void store_manifest(Tree& tree, const Manifest& manifest) {
  const std::string text = to_text(manifest);
  const auto old = tree.read(kManifestPath);
  if (old && old->text == text) return;
  const std::string home = parent_of(kManifestPath);
  const std::string place = innermost_place(tree);
  if (place == home) return tree.write(kManifestPath, text, kManifestMode);

  const std::string unfinished = place + kUnfinished;
  const size_t first_ends = home.find('/', place.size() + 1);
  const std::string first = home.substr(0, first_ends);
  tree.make_directory(unfinished);
  for (const std::string& directory : directories_above(kManifestPath)) {
    if (directory.size() > first.size()) tree.make_directory(unfinished + directory.substr(first.size()));
  }
  tree.write(unfinished + std::string(kManifestPath).substr(first.size()), text, kManifestMode);
  tree.rename_directory(unfinished, first);
}

void discard_manifest(Tree& tree, const Manifest& manifest) {
  const std::string outermost = outermost_own(tree, manifest);
  if (outermost.empty()) return tree.remove(kManifestPath);
  const std::string unfinished = parent_of(outermost) + kUnfinished;
  tree.rename_directory(outermost, unfinished);
  tree.remove_all(unfinished);
}

std::string make_staging_directory(Tree& tree) {
  std::string directory = innermost_place(tree) + kUnfinished;
  tree.remove_all(directory);
  tree.make_directory(directory, 0700);
  return directory;
}

}  // namespace adit::home
