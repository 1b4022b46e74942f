// Configurations that are right, each with another number's worth of everything that one may say.
#pragma once

#include <cstdint>
#include <string>

namespace adit::home {

std::string random_config(uint32_t seed);

}  // namespace adit::home
