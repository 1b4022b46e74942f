#include "home/manifest.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace adit::home {
namespace {

using Fields = std::vector<std::string>;
constexpr std::string_view kVersion = "adit-home\t1\n";

void add_line(std::string& text, const Fields& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text += '\t';
    for (const char character : fields[i]) {
      switch (character) {
        case '\\':
          text += "\\\\";
          break;
        case '\t':
          text += "\\t";
          break;
        case '\n':
          text += "\\n";
          break;
        default:
          text += character;
      }
    }
  }
  text += '\n';
}

void add_command(std::string& text, const std::string& kind, const Command& command) {
  Fields fields{kind, command.why};
  fields.insert(fields.end(), command.words.begin(), command.words.end());
  add_line(text, fields);
}

/// Throws std::invalid_argument.
unsigned mode_in(const std::string& text) {
  unsigned mode = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (error != std::errc() || end != text.data() + text.size() || mode > 07777) throw std::invalid_argument("no mode");
  return mode;
}

Fields fields_of(std::string_view line) {
  Fields fields(1);
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      fields.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      const char escaped = line[++i];
      fields.back() += escaped == 't' ? '\t' : escaped == 'n' ? '\n' : escaped;
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

Command command_in(const Fields& fields) { return {{fields.begin() + 2, fields.end()}, fields[1]}; }

/// Throws std::invalid_argument.
void read_line(const Fields& fields, Manifest& manifest) {
  const std::string& kind = fields[0];
  if (fields.size() == 1 && kind == "started") {
    manifest.started = true;
  } else if (fields.size() == 2 && kind == "directory") {
    manifest.directories.push_back(fields[1]);
  } else if (fields.size() == 3 && kind == "file") {
    manifest.files.push_back({fields[2], mode_in(fields[1])});
  } else if (fields.size() == 2 && kind == "created") {
    manifest.created.push_back(fields[1]);
  } else if (fields.size() == 3 && kind == "block") {
    manifest.blocks.push_back({fields[1], fields[2]});
  } else if (fields.size() >= 3 && kind == "start") {
    manifest.start.push_back(command_in(fields));
  } else if (fields.size() >= 3 && kind == "stop") {
    manifest.stop.push_back(command_in(fields));
  } else {
    throw std::invalid_argument("no such line");
  }
}

}  // namespace

std::string to_octal(unsigned mode) {
  std::string text;
  for (int shift = 9; shift >= 0; shift -= 3) text += static_cast<char>('0' + ((mode >> shift) & 7));
  return text;
}

const Manifest::File* Manifest::file(std::string_view path) const {
  const auto found = std::ranges::find(files, path, &File::path);
  return found == files.end() ? nullptr : &*found;
}

bool Manifest::has_created(std::string_view path) const { return std::ranges::find(created, path) != created.end(); }

bool Manifest::has_block(std::string_view path, std::string_view name) const {
  return std::ranges::any_of(blocks, [&](const Block& block) { return block.path == path && block.name == name; });
}

std::string to_text(const Manifest& manifest) {
  std::string text(kVersion);
  if (manifest.started) add_line(text, {"started"});
  for (const std::string& path : manifest.directories) add_line(text, {"directory", path});
  for (const Manifest::File& file : manifest.files) add_line(text, {"file", to_octal(file.mode), file.path});
  for (const std::string& path : manifest.created) add_line(text, {"created", path});
  for (const Manifest::Block& block : manifest.blocks) add_line(text, {"block", block.path, block.name});
  for (const Command& command : manifest.start) add_command(text, "start", command);
  for (const Command& command : manifest.stop) add_command(text, "stop", command);
  return text;
}

Manifest parse_manifest(std::string_view text) {
  if (!text.starts_with(kVersion)) throw std::runtime_error("line 1: not of this version of adit");
  Manifest manifest;
  size_t number = 1;
  for (size_t at = kVersion.size(); at < text.size();) {
    ++number;
    const size_t newline = std::min(text.find('\n', at), text.size());
    try {
      read_line(fields_of(text.substr(at, newline - at)), manifest);
    } catch (const std::invalid_argument&) {
      throw std::runtime_error("line " + std::to_string(number) + ": not what adit wrote");
    }
    at = newline + 1;
  }
  return manifest;
}

}  // namespace adit::home
