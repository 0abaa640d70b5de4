# longtail_package()
#
# Installs what find_package(longtail) reads: the version, and a config that knows, from the lists
# given to longtail_target, which components and packages each component needs.
function(longtail_package)
  get_property(components GLOBAL PROPERTY LONGTAIL_COMPONENTS)
  set(needs "")
  foreach(component IN LISTS components)
    get_property(uses GLOBAL PROPERTY LONGTAIL_${component}_USES)
    set(lower "")
    set(packages "")
    foreach(item IN LISTS uses)
      if(item MATCHES "^longtail::(.+)$")
        list(APPEND lower ${CMAKE_MATCH_1} ${${CMAKE_MATCH_1}_lower})
      elseif(item MATCHES "^PkgConfig::(XXHASH|ZSTD|ZMQ)$")
        list(APPEND packages ${CMAKE_MATCH_1})
      elseif(item MATCHES "^(absl|civetweb|CURL|prometheus-cpp|Rados|Threads|nlohmann_json)::")
        list(APPEND packages ${CMAKE_MATCH_1})
      else()
        message(FATAL_ERROR "longtail::${component} uses ${item}: cmake/LongtailPackage.cmake does "
                            "not know how a consumer finds it")
      endif()
    endforeach()
    list(REMOVE_DUPLICATES lower)
    list(REMOVE_DUPLICATES packages)
    set(${component}_lower ${lower})
    list(JOIN lower " " lower)
    list(JOIN packages " " packages)
    string(APPEND needs "set(longtail_${component}_needs ${lower})\n"
                        "set(longtail_${component}_packages ${packages})\n")
  endforeach()
  list(JOIN components " " LONGTAIL_COMPONENTS)
  set(LONGTAIL_COMPONENT_NEEDS "${needs}")

  set(destination ${CMAKE_INSTALL_LIBDIR}/cmake/longtail)
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/longtail-config.cmake.in
    ${PROJECT_BINARY_DIR}/longtail-config.cmake
    INSTALL_DESTINATION ${destination} NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/longtail-config-version.cmake
    COMPATIBILITY SameMinorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/longtail-config.cmake
                ${PROJECT_BINARY_DIR}/longtail-config-version.cmake
                ${PROJECT_SOURCE_DIR}/cmake/FindRados.cmake
          DESTINATION ${destination})
endfunction()
