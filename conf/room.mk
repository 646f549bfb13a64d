# conf: example profiles. They are documentation, installed beside it: in
# $(sysconfdir) they would be guests that nobody asked for, whose kernels and
# disks are not there.
guestexamplesdir = $(docdir)/examples/guests
dist_guestexamples_DATA = %D%/guests/cloud.ini %D%/guests/demo.ini %D%/guests/web.ini
switchexamplesdir = $(docdir)/examples/switches
dist_switchexamples_DATA = %D%/switches/island.ini %D%/switches/lan.ini

# Wireshark's way to "vmdeck extcap", for who links to it.
extcapdir = $(pkgdatadir)/extcap
dist_extcap_SCRIPTS = %D%/extcap/vmdeck

# What the shells complete comes from "vmdeck complete".
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = %D%/bash/vmdeck
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = %D%/zsh/_vmdeck
