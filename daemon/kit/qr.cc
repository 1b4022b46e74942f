#include "daemon/kit/qr.h"

#include <qrencode.h>

#include <memory>
#include <stdexcept>

#include "crypto/keys.h"

namespace adit::daemon {
namespace {

constexpr int kMargin = 4;  // modules that stay light around it (ISO/IEC 18004)

/// A code may be of a key.
void wipe_and_free(QRcode* code) {
  crypto::wipe({code->data, static_cast<size_t>(code->width) * static_cast<size_t>(code->width)});
  QRcode_free(code);
}

bool is_dark(const QRcode& code, int x, int y) {
  if (x < 0 || y < 0 || x >= code.width || y >= code.width) return false;
  return (code.data[y * code.width + x] & 1) != 0;
}

const char* block(bool upper_is_dark, bool lower_is_dark) {
  if (upper_is_dark) return lower_is_dark ? " " : "▄";
  return lower_is_dark ? "▀" : "█";
}

}  // namespace

std::string qr_code(std::string_view text, bool colours) {
  const std::unique_ptr<QRcode, void (*)(QRcode*)> code(
      QRcode_encodeData(static_cast<int>(text.size()), reinterpret_cast<const unsigned char*>(text.data()), 0,
                        QR_ECLEVEL_L),
      wipe_and_free);
  if (!code) throw std::runtime_error("make a QR code: the text is too long");
  std::string lines;
  for (int y = -kMargin; y < code->width + kMargin; y += 2) {
    if (colours) lines += "\x1b[38;5;231;48;5;16m";  // white on black, whatever the terminal's colours are
    for (int x = -kMargin; x < code->width + kMargin; ++x) {
      const bool is_below_margin = y + 1 == code->width + kMargin;
      lines += block(is_dark(*code, x, y), is_below_margin || is_dark(*code, x, y + 1));
    }
    lines += colours ? "\x1b[0m\n" : "\n";
  }
  return lines;
}

}  // namespace adit::daemon
