#!/usr/bin/env node
// The command is here, not in dist, so that a package manager can link it before the first build.
import '../dist/log-tool/main.js'
