# vmactl: shares nothing with the daemon but include/.
