// Two queues; see gate.h.
#include "control/gate.h"

#include <stdlib.h>

#include "base/must.h"

struct queue {
	struct gate_turn *first, **last;
};

struct gate {
	struct queue firsts, others;
	bool is_taken, is_closed;
};

struct gate *gate_new(void)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (gate) {
		gate->firsts.last = &gate->firsts.first;
		gate->others.last = &gate->others.first;
	}
	return gate;
}

static struct gate_turn *pop(struct queue *queue)
{
	struct gate_turn *turn = queue->first;

	if (turn && !(queue->first = turn->next))
		queue->last = &queue->first;
	return turn;
}

static struct gate_turn *pop_next(struct gate *gate)
{
	struct gate_turn *turn = pop(&gate->firsts);

	return turn ? turn : pop(&gate->others);
}

void gate_close(struct gate *gate)
{
	struct gate_turn *turn;

	if (!gate)
		return;
	gate->is_closed = true;
	while ((turn = pop_next(gate)))
		turn->enter(turn, true);
}

struct gate *gate_free(struct gate *gate)
{
	must(!gate || (!gate->is_taken && !gate->firsts.first && !gate->others.first));
	free(gate);
	return NULL;
}

void gate_wait(struct gate *gate, struct gate_turn *turn, bool comes_first)
{
	struct queue *queue = comes_first ? &gate->firsts : &gate->others;

	must(turn->enter);
	if (gate->is_closed) {
		turn->enter(turn, true);
		return;
	}
	if (!gate->is_taken) {
		gate->is_taken = true;
		turn->enter(turn, false);
		return;
	}
	turn->next = NULL;
	*queue->last = turn;
	queue->last = &turn->next;
}

void gate_leave(struct gate *gate)
{
	struct gate_turn *next;

	must(gate->is_taken);
	next = gate->is_closed ? NULL : pop_next(gate);
	gate->is_taken = next != NULL;
	if (next)
		next->enter(next, false);
}

bool gate_is_closed(const struct gate *gate)
{
	return gate->is_closed;
}
