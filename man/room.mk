# man
dist_man_MANS += \
	%D%/vmdeck.1 \
	%D%/vmdeck-guest.5 \
	%D%/vmdeck-protocol.7 \
	%D%/vmdeck-switch.5
