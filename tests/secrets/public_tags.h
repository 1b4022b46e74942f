// Which tags were right is public: the linker (--wrap) gives calls of poly1305_agree() to agree_in_public(), which each
// checker defines to call the real one and say so.
#pragma once

#include "crypto/poly1305.h"

#define ADIT_POLY1305_AGREE "_ZN4adit6crypto14poly1305_agreeEPKNS0_3TagEPKPKhPKmm"

namespace adit::crypto {

uint64_t agree_really(const Tag* tags, const uint8_t* const* texts, const uint64_t* sizes,
                      size_t count) asm("__real_" ADIT_POLY1305_AGREE);
uint64_t agree_in_public(const Tag* tags, const uint8_t* const* texts, const uint64_t* sizes,
                         size_t count) asm("__wrap_" ADIT_POLY1305_AGREE);

}  // namespace adit::crypto
