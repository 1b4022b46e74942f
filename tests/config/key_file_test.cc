#include <gtest/gtest.h>

#include "tests/config/fixtures.h"

namespace adit::config {
namespace {

class KeyFile : public testing::Test {
 protected:
  /// What load() says of a file with this interface; "" when it is right.
  std::string complaint(const std::string& lines, mode_t mode = 0644) {
    const auto file = directory_.write("adit.toml", "[interface]\n" + lines + "\n", mode);
    const std::string text = complaint_of([&] { load(file); });
    return text.starts_with(file.string()) ? text.substr(file.string().size()) : text;
  }
  [[nodiscard]] std::string path_of(const std::string& name) const {
    return '"' + (directory_.path() / name).string() + '"';
  }

  TemporaryDirectory directory_;
};

TEST_F(KeyFile, IsLookedUpBesideTheConfig) {
  directory_.write("wg0.key", kPrivateKey, 0600);
  EXPECT_EQ(complaint("private_key_file = \"wg0.key\""), "");
  EXPECT_EQ(complaint("private_key_file = " + path_of("wg0.key")), "");
}

TEST_F(KeyFile, MayEndWithOneLineEnd) {
  directory_.write("unix.key", std::string(kPrivateKey) + "\n", 0600);
  directory_.write("dos.key", std::string(kPrivateKey) + "\r\n", 0600);
  EXPECT_EQ(complaint("private_key_file = \"unix.key\""), "");
  EXPECT_EQ(complaint("private_key_file = \"dos.key\""), "");
}

TEST_F(KeyFile, IsRefusedWhenOthersMayReadOrWriteIt) {
  for (const mode_t mode : std::initializer_list<mode_t>{0640, 0604, 0620, 0602, 0666, 0777}) {
    directory_.write("wg0.key", kPrivateKey, mode);
    EXPECT_EQ(complaint("private_key_file = \"wg0.key\""),
              ":2:20: " + path_of("wg0.key") + " may be read or written by others than its owner: chmod 600 " +
                  path_of("wg0.key"));
  }
}

TEST_F(KeyFile, IsMissing) {
  EXPECT_EQ(complaint("private_key_file = \"no.key\""), ":2:20: read " + (directory_.path() / "no.key").string() +
                                                            ": No such file or directory (adit genkey makes a key)");
  EXPECT_NE(complaint("[[peer]]\npreshared_key_file = \"no.key\"").find("(adit genpsk makes a key)"),
            std::string::npos);
}

TEST_F(KeyFile, HoldsSomethingElse) {
  const std::string key = kPrivateKey;
  for (const std::string& content : {std::string(), std::string("\n"), key.substr(1), key + key, key + "\n\n",
                                     " " + key, key + "\n" + key, std::string(100000, 'A'), std::string(44, '\0')}) {
    directory_.write("wg0.key", content, 0600);
    EXPECT_EQ(complaint("private_key_file = \"wg0.key\""),
              ":2:20: " + path_of("wg0.key") + " must be a key: 44 characters of base64, as wg and adit write it");
  }
  directory_.write("wg0.key", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0600);
  EXPECT_EQ(complaint("private_key_file = \"wg0.key\""),
            ":2:20: " + path_of("wg0.key") + " is all zeros, which is no key");
}

TEST_F(KeyFile, IsNoFile) {
  std::filesystem::create_directory(directory_.path() / "d");
  EXPECT_EQ(complaint("private_key_file = \"d\""),
            ":2:20: read " + (directory_.path() / "d").string() + ": Is a directory");
}

TEST_F(KeyFile, MustBeNamed) {
  EXPECT_EQ(complaint("private_key_file = \"\""), ":2:20: private_key_file must name a file");
  EXPECT_EQ(complaint("private_key_file = \"a\\u0000b\""), ":2:20: private_key_file must name a file");
}

TEST_F(KeyFile, IsTheKeyItselfWhichIsNotShown) {
  EXPECT_EQ(complaint("private_key_file = \"" + std::string(kPrivateKey) + "\""),
            ":2:20: private_key_file must name a file; the key itself goes into private_key");
}

TEST_F(KeyFile, IsNotNeededInAConfigThatOnlyItsOwnerReads) {
  const std::string line = "private_key = \"" + std::string(kPrivateKey) + "\"";
  EXPECT_EQ(complaint(line, 0600), "");
  EXPECT_EQ(complaint(line, 0400), "");
  EXPECT_EQ(complaint(line, 0640),
            ":2:15: this file holds a key but may be read or written by others than its owner: chmod 600 " +
                path_of("adit.toml"));
}

/// No message may show any part of a secret, whatever is wrong with the line it stands in.
TEST_F(KeyFile, IsNeverShown) {
  const std::string key = kPrivateKey;
  for (const std::string& lines :
       {"private_key = " + key, "private_key = '" + key, "private_key = \"" + key, "private_key \"" + key + "\"",
        "private_key = \"" + key + "\\q\"", "private_key = \"\"\"" + key + "\n\\Q\"\"\"",
        "private_key = \"" + key + "\" " + key, "private_key = \"" + key.substr(2) + "\"",
        "private_key = \"" + key + "\"\nprivate_key_file = \"" + key + "\"", "private_key = [\"" + key + "\"]",
        "private_key_file = [\"" + key + "\"]", "privatekey = \"" + key + "\"",
        "private_key_file = \"" + key.substr(3) + "\"", "[[peer]]\npublic_key = \"" + key.substr(1) + "\"",
        "[[peer]]\npreshared_key = " + key, "[[peer]]\npreshared_key = \"" + key.substr(1) + "\""}) {
    const std::string text = complaint(lines, 0600);
    EXPECT_NE(text, "") << lines;
    for (size_t at = 0; at + 5 <= key.size(); ++at) {
      EXPECT_EQ(text.find(key.substr(at, 5)), std::string::npos) << text << "\nfor\n" << lines;
    }
    EXPECT_EQ(text.find(", saw"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace adit::config
