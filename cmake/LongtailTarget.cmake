# longtail_target(NAME SOURCES … PUBLIC_HEADERS … DEPENDS … PRIVATE_DEPENDS …)
#
# One component: a static library longtail::NAME, its public headers, its export
# set and its install rules. A component lists what it may use; that list is the
# architecture (docs/ARCHITECTURE.md), so a new entry is a design change.
function(longtail_target name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;PUBLIC_HEADERS;DEPENDS;PRIVATE_DEPENDS")
  add_library(longtail_${name} STATIC)
  add_library(longtail::${name} ALIAS longtail_${name})
  target_sources(longtail_${name}
    PRIVATE ${arg_SOURCES}
    PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${arg_PUBLIC_HEADERS})
  target_include_directories(longtail_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(longtail_${name} PRIVATE LONGTAIL_VERSION="${PROJECT_VERSION}")
  target_compile_features(longtail_${name} PUBLIC cxx_std_20)
  target_link_libraries(longtail_${name}
    PUBLIC ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS} $<BUILD_INTERFACE:longtail_flags>)
  set_target_properties(longtail_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS longtail_${name} EXPORT longtail-${name}-targets
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} FILE_SET HEADERS)
  install(EXPORT longtail-${name}-targets NAMESPACE longtail::
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/longtail)
  # For longtail_package.
  set_property(GLOBAL APPEND PROPERTY LONGTAIL_COMPONENTS ${name})
  set_property(GLOBAL PROPERTY LONGTAIL_${name}_USES ${arg_DEPENDS} ${arg_PRIVATE_DEPENDS})
endfunction()
