'use strict';
// The page says all it has to say without this: it sorts tables, and opens what is folded to print.
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells];
  const key = (row, place) => {
    const cell = row.cells[place];
    return cell.dataset.sort ? Number(cell.dataset.sort) : cell.textContent.trim();
  };
  const order = (place, sign) => (a, b) => {
    const [x, y] = [key(a, place), key(b, place)];
    return sign * (typeof x === 'number' ? x - y : x.localeCompare(y));
  };
  heads.forEach((head, place) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const numbers = head.classList.contains('number');
      const before = head.getAttribute('aria-sort');
      const rising = before ? before === 'descending' : !numbers;
      heads.forEach(other => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', rising ? 'ascending' : 'descending');
      const rows = [...table.tBodies[0].rows].sort(order(place, rising ? 1 : -1));
      table.tBodies[0].append(...rows);
    });
  });
}
addEventListener('beforeprint', () => {
  document.querySelectorAll('details').forEach(details => { details.open = true; });
});
