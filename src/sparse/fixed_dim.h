// Calls a function with a dimension that the compiler knows, for the dimensions in common use.
#pragma once

#include <cstddef>
#include <type_traits>

namespace longtail::sparse {

/// Calls call(std::integral_constant<std::size_t, D>): D is `dim` if that is one of those unrolled
/// here, or else 0, for "ask at run time". Both give the same bits.
template <typename Call>
decltype(auto) WithFixedDim(std::size_t dim, Call&& call) {
  switch (dim) {
    case 8:
      return call(std::integral_constant<std::size_t, 8>{});
    case 16:
      return call(std::integral_constant<std::size_t, 16>{});
    case 32:
      return call(std::integral_constant<std::size_t, 32>{});
    case 64:
      return call(std::integral_constant<std::size_t, 64>{});
    default:
      return call(std::integral_constant<std::size_t, 0>{});
  }
}

}  // namespace longtail::sparse
