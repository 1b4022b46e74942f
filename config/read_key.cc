// Secret keys.  No message ever shows one, nor anything that may be one.
#include <system_error>

#include "config/read.h"
#include "config/secret.h"

namespace adit::config {
namespace {

/// Somebody may have written the key itself where the name of its file belongs.
bool may_be_key(std::string_view text) {
  constexpr size_t kShortest = 40;
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
  return text.size() >= kShortest && text.find_first_not_of(kAlphabet) == text.npos;
}

template <typename Key>
std::optional<Placed<Key>> decode(std::string_view base64, Place place, const std::string& what, Problems& problems) {
  auto bytes = crypto::key_from_base64(base64);
  if (!bytes) {
    problems.add(place, what + " must be a key: 44 characters of base64, as wg and adit write it");
    return {};
  }
  const Key key(*bytes);
  crypto::wipe(*bytes);
  if (key.is_zero()) problems.add(place, what + " is all zeros, which is no key");
  if (key.is_zero()) return {};
  return Placed<Key>{key, place};
}

std::string_view without_line_end(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

template <typename Key>
std::optional<Placed<Key>> key_in_file(const Text& name, const std::filesystem::path& path, const KeyRole& role,
                                       Problems& problems) {
  constexpr size_t kLargest = 256;  // enough to see that it is something else
  const std::string shown = in_quotes(path.string());
  try {
    const SecretFile file = read_secret_file(path, kLargest);
    if (!file.is_open_to_others) return decode<Key>(without_line_end(file.text()), name.place, shown, problems);
    problems.add(name.place, shown + " may be read or written by others than its owner: chmod 600 " + shown);
  } catch (const std::system_error& error) {
    std::string advice;
    if (error.code() == std::errc::no_such_file_or_directory)
      advice = " (adit " + std::string(role.generator) + " makes a key)";
    if (error.code() == std::errc::permission_denied)
      advice = " (it must be the file of the user who runs adit: chown)";
    problems.add(name.place, visible(error.what()) + advice);
  }
  return {};
}

template <typename Key>
std::optional<Placed<Key>> key_in_named_file(const Text& name, const Source& source, const KeyRole& role,
                                             Problems& problems) {
  if (may_be_key(name.value)) {
    problems.add(name.place,
                 std::string(role.name) + "_file must name a file; the key itself goes into " + std::string(role.name));
    return {};
  }
  if (name.value.empty() || name.value.find('\0') != name.value.npos) {
    problems.add(name.place, std::string(role.name) + "_file must name a file");
    return {};
  }
  return key_in_file<Key>(name, source.directory / name.value, role, problems);
}

template <typename Key>
std::optional<Placed<Key>> key_in_place(const Text& text, const Source& source, const KeyRole& role,
                                        Problems& problems) {
  if (source.is_open_to_others) {
    problems.add(text.place, "this file holds a key but may be read or written by others than its owner: chmod 600 " +
                                 in_quotes(source.file));
  }
  return decode<Key>(text.value, text.place, std::string(role.name), problems);
}

}  // namespace

template <typename Key>
std::optional<Placed<Key>> read_key(TableReader& reader, const Source& source, const KeyRole& role) {
  const std::string name(role.name);
  const std::string file_name = name + "_file";
  const size_t before = reader.problems().count();
  const auto text = reader.text(name);
  const auto file = reader.text(file_name);
  if (text && file) reader.problems().add(file->place, "give either " + name + " or " + file_name + ", not both");
  if (text) return key_in_place<Key>(*text, source, role, reader.problems());
  if (file) return key_in_named_file<Key>(*file, source, role, reader.problems());
  if (role.is_required && reader.problems().count() == before) {
    reader.problems().add(reader.place(), reader.name() + " needs " + name + " or " + file_name);
  }
  return {};
}

template std::optional<Placed<crypto::PrivateKey>> read_key(TableReader&, const Source&, const KeyRole&);
template std::optional<Placed<crypto::PresharedKey>> read_key(TableReader&, const Source&, const KeyRole&);

}  // namespace adit::config
