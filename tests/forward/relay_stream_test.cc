#include "forward/relay_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace adit::forward {
namespace {

ConstBytes bytes_of(const std::string& text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
std::string text_of(ConstBytes bytes) { return {bytes.begin(), bytes.end()}; }

TEST(RelayStream, ReadsFirst) {
  const RelayStream stream;
  EXPECT_TRUE(stream.wants_read());
  EXPECT_FALSE(stream.wants_write());
  EXPECT_FALSE(stream.has_ended());
}

TEST(RelayStream, ReadsNothingWhileSomethingWaits) {
  RelayStream stream;
  stream.keep(bytes_of("hello"));
  EXPECT_FALSE(stream.wants_read());
  EXPECT_EQ(text_of(stream.waiting()), "hello");
  stream.written(3);
  EXPECT_FALSE(stream.wants_read());
  EXPECT_EQ(text_of(stream.waiting()), "lo");
  stream.written(2);
  EXPECT_TRUE(stream.wants_read());
  EXPECT_FALSE(stream.wants_write());
}

TEST(RelayStream, NothingLeftOverIsNothingToWaitFor) {
  RelayStream stream;
  stream.keep({});
  EXPECT_TRUE(stream.wants_read());
}

TEST(RelayStream, ReadsNothingBehindTheEnd) {
  RelayStream stream;
  stream.end();
  EXPECT_TRUE(stream.has_ended());
  EXPECT_FALSE(stream.wants_read());
  EXPECT_FALSE(stream.wants_write());
}

TEST(RelayStream, CarriesEveryByteInOrderWhateverEachWriteTakes) {
  std::mt19937 random(1);
  std::string in, out;
  RelayStream stream;
  while (in.size() < 300'000 || !stream.wants_read()) {
    if (stream.wants_read()) {
      std::string read(random() % 5000, '\0');
      for (char& byte : read) byte = static_cast<char>(random());
      const size_t taken = random() % (read.size() + 1);
      out += read.substr(0, taken);
      stream.keep(bytes_of(read).subspan(taken));
      in += read;
    } else {
      const size_t taken = random() % (stream.waiting().size() + 1);
      out += text_of(stream.waiting().first(taken));
      stream.written(taken);
    }
  }
  EXPECT_TRUE(in == out);
}

}  // namespace
}  // namespace adit::forward
