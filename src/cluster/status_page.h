// The page for people that shows /api/v1/status, of a coordinator or of a server: one HTML document
// that needs nothing else (status_page.html, put into the program when it is built).
#pragma once

#include <string_view>

namespace longtail {

std::string_view StatusPage();

}  // namespace longtail
