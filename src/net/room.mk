# net: packets. Switch, ports (one file a backend), capture, decode.
