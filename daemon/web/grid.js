// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A table of any length: only the rows in sight are elements. To those who hear the page it is a grid with all its rows
 * counted; to the keyboard one place, with an active row that the arrows move.
 */
import { h } from './dom.js';

const ROW = 28; // pixels; style.css has the same
const MORE = 8; // rows beyond what is in sight

export class Grid {
	/*
	 * columns: {key, label, title, width (of grid-template-columns), least (pixels of table below which it is left out),
	 * end (numbers), sort(row), put(cell, row)}. onopen(row): Enter or double click; onmove(row): it became the active one.
	 */
	constructor({ label, columns, onopen, onmove, empty }) {
		Object.assign(this, { columns, onopen, onmove, empty });
		this.rows = [];
		this.active = -1;
		this.key = null;
		this.down = false;
		this.shown = columns;
		this.id = `grid${(Grid.made = (Grid.made ?? 0) + 1)}`;
		this.head = h('div', { role: 'row', class: 'grid-row grid-head', 'aria-rowindex': 1 });
		this.sheet = h('div', { class: 'grid-sheet', role: 'rowgroup' });
		this.element = h(
			'div',
			{ class: 'grid', role: 'grid', tabindex: 0, 'aria-label': label },
			h('div', { role: 'rowgroup', class: 'grid-top' }, this.head),
			this.sheet,
		);
		this.element.addEventListener('keydown', (event) => this.onkey(event));
		this.element.addEventListener('scroll', () => this.draw());
		this.sheet.addEventListener('click', (event) => this.onclick(event));
		this.sheet.addEventListener('dblclick', (event) => this.onclick(event, true));
		this.watcher = new ResizeObserver(() => this.resize());
		this.watcher.observe(this.element);
		this.putHead();
	}

	putHead() {
		this.element.style.setProperty('--columns', this.shown.map((column) => column.width).join(' '));
		this.element.setAttribute('aria-colcount', this.shown.length);
		this.head.replaceChildren(
			...this.shown.map((column) => {
				const sorted =
					column.key === this.key
						? this.down
							? 'descending'
							: 'ascending'
						: column.sort && 'none';
				const mark = column.key === this.key ? (this.down ? ' ↓' : ' ↑') : '';
				return h(
					'div',
					{
						role: 'columnheader',
						class: column.end && 'end',
						'aria-sort': sorted,
						title: column.title,
					},
					column.sort
						? h(
								'button',
								{ type: 'button', onclick: () => this.turn(column) },
								column.label,
								h('span', { 'aria-hidden': 'true' }, mark),
							)
						: column.label,
				);
			}),
		);
	}

	// A head was pressed: numbers begin with the largest.
	turn(column) {
		this.sort(column.key, column.key === this.key ? !this.down : Boolean(column.end));
	}

	sort(key, down) {
		this.key = key;
		this.down = down;
		this.putHead();
		this.set(this.rows);
	}

	set(rows) {
		const active = this.rows[this.active];
		const by = this.columns.find((column) => column.key === this.key)?.sort;
		this.rows = rows;
		if (by) {
			const sign = this.down ? -1 : 1;
			this.rows = rows
				.map((row) => [by(row), row])
				.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0))
				.map(([, row]) => row);
		}
		this.active = active
			? this.rows.findIndex(
					(row) => row === active || (row.key !== undefined && row.key === active.key),
				)
			: -1;
		this.element.setAttribute('aria-rowcount', this.rows.length + 1);
		this.sheet.style.height = `${this.rows.length * ROW}px`;
		this.draw();
	}

	// The active row stays in sight where it was.
	resize() {
		const width = this.element.clientWidth;
		const shown = this.columns.filter((column) => !(column.least > width));
		const below = this.active * ROW + ROW - this.element.scrollTop;
		if (shown.length !== this.shown.length) {
			this.shown = shown;
			this.putHead();
		}
		if (this.active >= 0 && below <= this.tall && below > this.height())
			this.element.scrollTop += below - this.height();
		this.tall = this.height();
		this.draw();
	}

	// Of the rows: the head stays above them.
	height() {
		return this.element.clientHeight - ROW;
	}

	draw() {
		const first = Math.max(0, Math.floor(this.element.scrollTop / ROW) - MORE);
		const last = Math.min(
			this.rows.length,
			Math.ceil((this.element.scrollTop + this.height()) / ROW) + MORE,
		);
		const drawn = [];
		for (let i = first; i < last; i++) drawn.push(this.rowElement(i));
		if (!this.rows.length && this.empty) drawn.push(h('p', { class: 'waiting' }, this.empty));
		const held = this.sheet.contains(document.activeElement)
			? document.activeElement.closest('[data-index]')?.dataset.index
			: null;
		this.sheet.replaceChildren(...drawn);
		if (held) this.sheet.querySelector(`[data-index="${held}"] a`)?.focus({ preventScroll: true });
		if (this.active >= first && this.active < last)
			this.element.setAttribute('aria-activedescendant', `${this.id}-${this.active}`);
		else this.element.removeAttribute('aria-activedescendant');
	}

	rowElement(i) {
		const row = this.rows[i];
		const element = h('div', {
			role: 'row',
			class: 'grid-row',
			id: `${this.id}-${i}`,
			'data-index': i,
			'aria-rowindex': i + 2,
			'aria-selected': i === this.active ? 'true' : 'false',
		});
		element.style.top = `${i * ROW}px`;
		for (const column of this.shown) {
			const cell = h('div', { role: 'gridcell', class: column.end && 'end' });
			column.put(cell, row);
			element.append(cell);
		}
		return element;
	}

	// Makes a row the active one, in sight. quiet: nobody is told.
	activate(i, { quiet = false } = {}) {
		const at = Math.max(0, Math.min(this.rows.length - 1, i));
		if (!this.rows.length) return;
		this.active = at;
		const top = at * ROW;
		if (top < this.element.scrollTop) this.element.scrollTop = top;
		else if (top + ROW > this.element.scrollTop + this.height())
			this.element.scrollTop = quiet ? top - this.height() / 2 : top + ROW - this.height();
		this.draw();
		if (!quiet) this.onmove?.(this.rows[at]);
	}

	select(row) {
		const at = this.rows.indexOf(row);
		if (at >= 0) this.activate(at, { quiet: true });
	}

	onclick(event, twice) {
		const element = event.target.closest('[data-index]');
		if (!element || event.target.closest('a')) return;
		this.activate(Number(element.dataset.index));
		if (twice) this.onopen?.(this.rows[this.active]);
	}

	onkey(event) {
		const page = Math.max(1, Math.floor(this.height() / ROW) - 1);
		const to = {
			ArrowDown: this.active + 1,
			ArrowUp: this.active - 1,
			PageDown: this.active + page,
			PageUp: this.active - page,
			Home: 0,
			End: this.rows.length - 1,
		}[event.key];
		if (to !== undefined) {
			event.preventDefault();
			this.activate(to);
		} else if (event.key === 'Enter' && this.active >= 0 && event.target === this.element) {
			event.preventDefault();
			this.onopen?.(this.rows[this.active]);
		}
	}

	close() {
		this.watcher.disconnect();
	}
}
