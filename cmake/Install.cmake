# What `cmake --install` puts where, and what CPack packs: `scripts/release` calls it.
include(GNUInstallDirs)

# DuckDB comes from npm and is nobody's package: it stands in a folder of hakobu's own.
set(HAKOBU_PRIVATE_LIBDIR ${CMAKE_INSTALL_LIBDIR}/hakobu)
file(RELATIVE_PATH from_bin /${CMAKE_INSTALL_BINDIR} /${HAKOBU_PRIVATE_LIBDIR})
set_target_properties(hakobu PROPERTIES INSTALL_RPATH "$ORIGIN/${from_bin}" INSTALL_RPATH_USE_LINK_PATH OFF)

install(TARGETS hakobu RUNTIME COMPONENT hakobu)
install(IMPORTED_RUNTIME_ARTIFACTS duckdb LIBRARY DESTINATION ${HAKOBU_PRIVATE_LIBDIR} COMPONENT hakobu)

# Completions and manual pages are what the program says of itself.
install(CODE "
  set(program \"${CMAKE_BINARY_DIR}/hakobu\")
  set(said \"${CMAKE_BINARY_DIR}/said\")
  file(REMOVE_RECURSE \"\${said}\")
  file(MAKE_DIRECTORY \"\${said}/man1\")
  function(say file)
    execute_process(COMMAND \"\${program}\" \${ARGN} OUTPUT_FILE \"\${said}/\${file}\" COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  say(hakobu completion bash)
  say(_hakobu completion zsh)
  say(hakobu.fish completion fish)
  say(man1/hakobu.1 manual)
  file(READ \"\${said}/man1/hakobu.1\" page)
  string(REPLACE \"\\\\-\" \"-\" page \"\${page}\")
  string(REGEX MATCHALL \"BR hakobu-[a-z-]+ \" commands \"\${page}\")
  foreach(command \${commands})
    string(REGEX REPLACE \"BR hakobu-([a-z-]+) \" \"\\\\1\" command \"\${command}\")
    say(man1/hakobu-\${command}.1 manual \${command})
  endforeach()
" COMPONENT hakobu)
install(FILES ${CMAKE_BINARY_DIR}/said/hakobu DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  COMPONENT hakobu)
install(FILES ${CMAKE_BINARY_DIR}/said/_hakobu DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
  COMPONENT hakobu)
install(FILES ${CMAKE_BINARY_DIR}/said/hakobu.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT hakobu)
install(DIRECTORY ${CMAKE_BINARY_DIR}/said/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT hakobu)

set(BINDIR ${CMAKE_INSTALL_FULL_BINDIR})
if(NOT CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(BINDIR /usr/bin)  # units are for the package
endif()
file(READ packaging/systemd/hardening.conf HARDENING)
string(STRIP "${HARDENING}" HARDENING)
foreach(unit hakobu-run@.service hakobu-stream@.service hakobu-run@.timer)
  configure_file(packaging/systemd/${unit} ${CMAKE_BINARY_DIR}/systemd/${unit} @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/systemd/${unit} DESTINATION lib/systemd/system COMPONENT hakobu)
endforeach()
install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT hakobu)
install(DIRECTORY examples docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT hakobu
  PATTERN decisions EXCLUDE)

set(CPACK_PACKAGE_NAME hakobu)
set(CPACK_PACKAGE_VENDOR hakobu)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "delivers MySQL tables to BigQuery, nightly and in real time")
set(CPACK_PACKAGE_CONTACT "hakobu")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL hakobu)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_HAKOBU_PACKAGE_NAME hakobu)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "ca-certificates, tzdata")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${NODE_MODULES}/@duckdb/node-bindings-linux-x64)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_ARCHIVE_COMPONENT_INSTALL OFF)
include(CPack)
