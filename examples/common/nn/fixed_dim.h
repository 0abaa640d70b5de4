// Loops over an embedding's dimension with the common dimensions known at compile time.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace longtail::examples {

/// Calls f with the dimension as a type: 4, 8, 16 or 32, else 0, which means "as at run time".
template <typename Function>
decltype(auto) WithFixedDim(std::size_t dim, Function&& f) {
  switch (dim) {
    case 4:
      return std::forward<Function>(f)(std::integral_constant<std::size_t, 4>());
    case 8:
      return std::forward<Function>(f)(std::integral_constant<std::size_t, 8>());
    case 16:
      return std::forward<Function>(f)(std::integral_constant<std::size_t, 16>());
    case 32:
      return std::forward<Function>(f)(std::integral_constant<std::size_t, 32>());
    default:
      return std::forward<Function>(f)(std::integral_constant<std::size_t, 0>());
  }
}

}  // namespace longtail::examples
