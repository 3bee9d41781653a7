// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking again by itself: only what is cheap, only while somebody can see it, and never so often that it costs the daemon
 * more than a fortieth of its time.
 */
const LEAST_MS = 5000;
const SHARE = 40;

export class Live {
	// refresh() returns a promise of the cost of what it asked (api.js), or of nothing.
	constructor(refresh) {
		this.refresh = refresh;
		this.on = false;
		this.timer = 0;
		this.onvisible = () => (document.hidden ? this.pause() : this.plan(0));
		document.addEventListener('visibilitychange', this.onvisible);
	}

	set(on) {
		this.on = on;
		this.pause();
		if (on) this.plan(LEAST_MS);
	}

	pause() {
		clearTimeout(this.timer);
		this.timer = 0;
	}

	plan(ms) {
		if (this.on && !document.hidden && !this.timer) this.timer = setTimeout(() => this.run(), ms);
	}

	async run() {
		let took = 0;
		try {
			took = (await this.refresh())?.wallMs ?? 0;
		} finally {
			this.timer = 0;
			this.plan(Math.max(LEAST_MS, took * SHARE));
		}
	}

	close() {
		this.on = false;
		this.pause();
		document.removeEventListener('visibilitychange', this.onvisible);
	}
}
