# man
dist_man_MANS += \
	%D%/vmdeck-guest.5 \
	%D%/vmdeck-switch.5
