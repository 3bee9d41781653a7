// SPDX-License-Identifier: GPL-2.0-or-later
// Squarified treemaps (Bruls, Huizing, van Wijk): areas in proportion, as near to squares as it goes.

// The worst ratio of sides in a row of these areas along a side.
function worst(areas, sum, side) {
	const thick = sum / side;
	return Math.max(...areas.map((area) => Math.max(area / thick / thick, (thick * thick) / area)));
}

/*
 * items: [{area, ...}], largest first; box: {x, y, width, height}. Returns [{item, x, y, width, height}].
 */
export function squarify(items, box) {
	const all = items.reduce((sum, item) => sum + item.area, 0);
	const scale = all ? (box.width * box.height) / all : 0;
	const placed = [];
	let { x, y, width, height } = box;
	let rest = items.filter((item) => item.area > 0);
	while (rest.length) {
		const side = Math.min(width, height);
		let row = [];
		let sum = 0;
		for (const item of rest) {
			const area = item.area * scale;
			if (row.length && worst([...row, area], sum + area, side) > worst(row, sum, side)) break;
			row = [...row, area];
			sum += area;
		}
		const thick = side ? sum / side : 0;
		let along = 0;
		row.forEach((area, i) => {
			const long = thick ? area / thick : 0;
			placed.push(
				width >= height
					? { item: rest[i], x, y: y + along, width: thick, height: long }
					: { item: rest[i], x: x + along, y, width: long, height: thick },
			);
			along += long;
		});
		if (width >= height) {
			x += thick;
			width = Math.max(0, width - thick);
		} else {
			y += thick;
			height = Math.max(0, height - thick);
		}
		rest = rest.slice(row.length);
	}
	return placed;
}
