// What one list has and another has not.
#pragma once

#include <algorithm>
#include <iterator>
#include <vector>

namespace adit::daemon {

/// Everything of `left` that is not in `right`, in order.
template <typename T>
std::vector<T> only_in(std::vector<T> left, std::vector<T> right) {
  std::ranges::sort(left);
  std::ranges::sort(right);
  std::vector<T> only;
  std::ranges::set_difference(left, right, std::back_inserter(only));
  return only;
}

}  // namespace adit::daemon
