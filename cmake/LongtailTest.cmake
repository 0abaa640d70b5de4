# longtail_test(NAME SOURCES … DEPENDS … LABELS …)
#
# One test program of Catch2 cases, found one by one by ctest. Case tags are for
# people; ctest's labels are the folder and what LABELS adds.
include(Catch)
function(longtail_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;LABELS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/test
                                             ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} Catch2::Catch2WithMain longtail_flags)
  if(LONGTAIL_SANITIZE)  # What is tested is optimised; tests that are not compile twice as fast.
    target_compile_options(${name} PRIVATE -O0)
  endif()
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  catch_discover_tests(${name} TEST_PREFIX "${folder}: "
    PROPERTIES TIMEOUT 120 LABELS "${folder};${arg_LABELS}" SKIP_REGULAR_EXPRESSION "\\[skip\\]")
endfunction()
