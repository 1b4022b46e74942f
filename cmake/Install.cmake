# What `cmake --install` puts where, besides the program.  tests/house holds the port's list of files to it.
include(GNUInstallDirs)
install(FILES man/adit.8 man/adit-home.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES man/adit.toml.5 DESTINATION ${CMAKE_INSTALL_MANDIR}/man5)
install(FILES examples/factorio.toml examples/redirects.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/examples/adit)
install(FILES completions/adit.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME adit)
install(FILES completions/_adit DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/adit.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)

# FreeBSD's; elsewhere only `cmake --install build --component rc_d` gets them.  %%PREFIX%% is the ports tree's.
if(NOT CMAKE_SYSTEM_NAME STREQUAL "FreeBSD")
  set(NOT_BY_DEFAULT EXCLUDE_FROM_ALL)
endif()
foreach(script adit adit_wg)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS rc.d/${script}.in)
  file(READ rc.d/${script}.in text)
  string(REPLACE "%%PREFIX%%" "${CMAKE_INSTALL_PREFIX}" text "${text}")
  file(WRITE ${CMAKE_BINARY_DIR}/rc.d/${script} "${text}")
  install(PROGRAMS ${CMAKE_BINARY_DIR}/rc.d/${script} DESTINATION etc/rc.d COMPONENT rc_d ${NOT_BY_DEFAULT})
endforeach()

if(CMAKE_SYSTEM_NAME STREQUAL "Linux")  # systemd looks below /usr/local, too
  install(CODE "set(ADIT_BUILD \"${CMAKE_BINARY_DIR}\")")
  install(SCRIPT systemd/install.cmake)
endif()
